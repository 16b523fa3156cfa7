import argon2
import pytest

from sev1.access import passwords
from sev1.engine.errors import Invalid

GOOD = "four plain words here"


@pytest.mark.parametrize("password", ["", "elevenchars"])
def test_a_password_shorter_than_twelve_characters_is_refused(password):
    with pytest.raises(Invalid, match="at least 12"):
        passwords.check_allowed(password, "ana@example.org")


def test_twelve_characters_of_any_kind_are_enough():
    passwords.check_allowed("aaaaaaaaaaaa", "ana@example.org")
    passwords.check_allowed("  spaces  in ", "ana@example.org")
    passwords.check_allowed("жжжжжжжжжжжж", "ana@example.org")


def test_a_password_of_a_megabyte_is_refused():
    passwords.check_allowed("x" * 1024, "ana@example.org")
    with pytest.raises(Invalid, match="longer than 1024"):
        passwords.check_allowed("x" * 1025, "ana@example.org")


@pytest.mark.parametrize("password", ["Ana.Roberts@Example.org", " ana.roberts@example.org ", "ana.roberts.on.call"])
def test_the_email_and_its_first_part_are_no_passwords(password):
    email = "ana.roberts.on.call@example.org" if "@" not in password else "ana.roberts@example.org"
    with pytest.raises(Invalid, match="is the email address"):
        passwords.check_allowed(password, email)


async def test_a_password_fits_its_own_hash_only_and_the_hash_is_argon2id():
    stored = await passwords.hashed(GOOD)
    assert stored.startswith("$argon2id$")
    assert GOOD not in stored
    assert await passwords.matches(GOOD, stored) == (True, None)
    assert await passwords.matches(GOOD + " ", stored) == (False, None)
    assert await passwords.hashed(GOOD) != stored, "each hash has its own salt"


async def test_the_same_letters_from_another_keyboard_fit():
    stored = await passwords.hashed("caf\u00e9 au lait, bien")
    assert (await passwords.matches("cafe\u0301 au lait, bien", stored))[0]


async def test_a_hash_made_at_a_lower_cost_still_fits_and_is_renewed():
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    fits, better = await passwords.matches(GOOD, weak)
    assert fits
    assert better is not None
    assert argon2.extract_parameters(better) == argon2.extract_parameters(passwords.NOBODYS_HASH)


async def test_nobodys_hash_is_well_formed_costs_as_much_as_a_real_one_and_fits_nothing():
    real = await passwords.hashed(GOOD)
    assert argon2.extract_parameters(passwords.NOBODYS_HASH) == argon2.extract_parameters(real)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):  # and not InvalidHashError, which costs nothing
        argon2.PasswordHasher().verify(passwords.NOBODYS_HASH, GOOD)


async def test_without_a_stored_hash_nothing_fits_even_if_the_dummy_did(monkeypatch):
    monkeypatch.setattr(passwords, "NOBODYS_HASH", await passwords.hashed(GOOD))
    assert await passwords.matches(GOOD, None) == (False, None)


async def test_a_password_of_half_a_surrogate_pair_is_an_answer_and_no_crash():
    assert await passwords.matches("\ud800" * 12, None) == (False, None)
