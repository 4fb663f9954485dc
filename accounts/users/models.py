"""People, known by email, across all tenants."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=str(username).lower())


class User(AbstractBaseUser, PermissionsMixin):
    """One person; memberships say in which tenants, with which role."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    # When a token came back that was mailed to it, or an operator made the account; null for who
    # has signed up and may be anybody.
    email_proven_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            SharedTable(name="accounts_user_shared", read="platform"),
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_email_proven(self) -> bool:
        return self.email_proven_at is not None

    def clean_fields(self, exclude: Any = None) -> None:
        self.email = self.email.lower()
        super().clean_fields(exclude=exclude)
