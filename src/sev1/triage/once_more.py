"""Which errors of a transaction say nothing about what it did, so that it is simply run again."""

import asyncpg

from sev1.engine.errors import Conflict, Unavailable

ONCE_MORE = (Conflict, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Somebody else was faster: at once."""

LATER = (
    OSError,
    TimeoutError,
    Unavailable,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.SyntaxOrAccessError,
)
"""The database is gone, full, stopping or of another release: when that is mended. No reason to set a payload aside."""
