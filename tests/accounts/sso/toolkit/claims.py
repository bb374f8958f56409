"""The claims about an address, which the toolkit leaves to each installation."""

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    """Staff are those whose address is verified."""

    def get_additional_claims(self, request):
        return {"email": request.user.email, "email_verified": request.user.is_staff}
