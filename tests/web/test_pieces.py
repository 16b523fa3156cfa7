"""A page that may be very long goes out in pieces, a short one in one."""

from sev1.surfaces.web.visit import PIECE, _pieces


async def test_a_short_page_is_one_piece_and_a_long_one_as_few_as_may_be():
    assert [len(piece) async for piece in _pieces("x" * 80_000)] == [80_000]
    assert [len(piece) async for piece in _pieces("x" * (2 * PIECE + 1))] == [PIECE, PIECE, 1]
