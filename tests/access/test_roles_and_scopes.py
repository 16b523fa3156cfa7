import pytest

from sev1.access.model import ANONYMOUS, OPERATOR, SCOPES, SCOPES_OF, Principal, Role, one_line
from sev1.engine.errors import Invalid


def test_roles_are_ordered_by_what_they_may_do_and_not_by_their_names():
    assert Role.VIEWER < Role.RESPONDER < Role.ADMIN
    assert Role.ADMIN > Role.VIEWER
    assert Role.ADMIN >= Role.ADMIN
    assert Role.VIEWER <= Role.VIEWER
    assert not Role.ADMIN <= Role.RESPONDER
    assert sorted(["admin", "viewer", "responder"], key=Role) == ["viewer", "responder", "admin"]
    assert max(Role) is Role.ADMIN


def test_a_higher_role_has_every_scope_of_the_lower_ones():
    assert SCOPES_OF[Role.VIEWER] < SCOPES_OF[Role.RESPONDER] < SCOPES_OF[Role.ADMIN]


def test_a_viewer_reads_and_reports_and_changes_nothing():
    assert SCOPES_OF[Role.VIEWER] == {"read", "report"}


def test_a_responder_works_on_alerts_pages_incidents_and_shifts_but_not_on_the_catalog_or_on_access():
    assert SCOPES_OF[Role.RESPONDER] == {
        "read", "report", "alerts:write", "pages:write", "incidents:write", "oncall:write",
    }  # fmt: skip


def test_an_admin_may_do_everything_there_is():
    assert SCOPES_OF[Role.ADMIN] == SCOPES == OPERATOR.scopes


def test_nobody_may_do_nothing():
    assert not any(ANONYMOUS.may(scope) for scope in SCOPES)
    assert not ANONYMOUS.signed_in


def test_the_audit_log_tells_a_token_from_a_user_of_the_same_name():
    user = Principal(kind="user", name="ci", display="ci", role=Role.ADMIN, scopes=SCOPES)
    token = Principal(kind="token", name="ci", display="ci", role=Role.ADMIN, scopes=SCOPES)
    assert (user.actor, token.actor, OPERATOR.actor) == ("ci", "token:ci", "operator:cli")


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\ud800", "pay\u202eload", "x\x85y"])
def test_text_that_postgresql_refuses_or_that_could_forge_a_line_is_refused(text):
    with pytest.raises(Invalid, match="control characters"):
        one_line(text, what="name")


def test_names_of_people_are_taken_as_they_are_written():
    assert one_line("  José  Ñáñez‌ی 👩‍🚒 ", what="name") == "José  Ñáñez‌ی 👩‍🚒"


def test_empty_and_overlong_text_is_refused():
    with pytest.raises(Invalid, match="missing"):
        one_line("  ", what="name")
    with pytest.raises(Invalid, match="longer than 3"):
        one_line("abcd", what="name", longest=3)
    assert one_line(" ", what="name", may_be_empty=True) == ""
