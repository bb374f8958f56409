"""How tests hash passwords."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Hasty(Argon2PasswordHasher):
    """The portal's own way, with as little time and memory as it can be told to take: a hash that takes an attacker
    long takes as long from each test that makes somebody with a password."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
