"""The policy is written down where people read it, and neither changes without the other."""

from accounts.management.commands.document_roles import PATH, document


def test_the_page_about_roles_says_what_the_policy_says():
    assert PATH.read_text() == document(), (
        "The policy differs from docs/roles.md: run make docs, and read the difference."
    )
