"""How admins sign in: allauth with our rules (accounts), what it takes beside a password (factors,
forms), how often one may be wrong (lockout, browsers), what an organization asks for (requirements),
when somebody has to show again who they are (recent), and for how long (sessions)."""
