"""Every change to calls and to people's telephones."""
