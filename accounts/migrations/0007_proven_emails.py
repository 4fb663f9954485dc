from django.db import migrations, models

# Decision 18: whoever was made by an operator or by an invitation counts as proven; so does who has
# signed up and since set a password by mail, unless a second factor from before it is still there.
PROVEN_FROM_THE_START = """
UPDATE accounts_user u SET email_proven_at = u.created_at
 WHERE NOT EXISTS (
   SELECT FROM accounts_platformevent e
    WHERE e.action = 'tenant.signed_up' AND e.actor = 'user:' || u.id
      AND e.at < u.created_at + interval '1 minute')
"""
PROVEN_BY_A_RESET = """
UPDATE accounts_user u SET email_proven_at = r.at
  FROM (SELECT key, max(at) AS at FROM accounts_platformevent
         WHERE action = 'password.reset' AND kind = 'user' GROUP BY key) r
 WHERE u.email_proven_at IS NULL AND r.key = u.id::text
   AND NOT EXISTS (
     SELECT FROM accounts_authenticator a WHERE a.user_id = u.id AND a.confirmed_at < r.at)
"""


class Migration(migrations.Migration):
    accepts = dict.fromkeys(
        ("rows_at_once", "rows_under_lock"),
        "Until 1.0 an installation stands still while it is migrated.",
    )

    dependencies = [
        ("accounts", "0006_members_who_are_shut_out"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="email_proven_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL(PROVEN_FROM_THE_START, migrations.RunSQL.noop),
        migrations.RunSQL(PROVEN_BY_A_RESET, migrations.RunSQL.noop),
    ]
