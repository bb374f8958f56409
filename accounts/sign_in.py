"""How people sign in: by e-mail address and password, through allauth."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import Person


class Backend(AuthenticationBackend):
    """allauth's sign-in by address; reads the person together with their account, which every page needs."""

    def get_user(self, user_id):
        return Person.objects.select_related("account").filter(pk=user_id, is_active=True).first()


class Adapter(DefaultAccountAdapter):
    """People come by invitation: nobody signs up by themselves."""

    def is_open_for_signup(self, request):
        return False


def display_name(person: Person) -> str:
    """How allauth's messages name a person."""
    return person.name
