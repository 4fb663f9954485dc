"""The pages that mails lead to; on the platform's host."""

from django.urls import path

from accounts.mailed.pages import page

urlpatterns = [
    path("invitation/", page("mailed/invitation.html"), name="mailed-invitation"),
    path("email/confirm/", page("mailed/email.html"), name="mailed-email"),
    path("password/reset/", page("mailed/password.html"), name="mailed-password"),
]
