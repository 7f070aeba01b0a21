"""Invitations: a link that leads a person to Apple's page, by mail or by hand.

links    the link: a signature over the invitation, and what it leads to
giving   invitations given out, sent again, withdrawn
letters  the mail, in the person's language: words says what it says, writing renders it
samples  the same mail for admins, to look at and to test
reminders  the mail again, to those who have not accepted
news     what becomes of the mails, who has accepted, who was retired
"""
