"""Apps of networks where they meet licenses: what an app may draw from, and what a change leads to.

stock     what is left in the accounts of apps
offers    the accounts that an app could draw from, with what speaks against each
defaults  what an app that was just added starts with
drafts    an app as it would be after saving, and what was shown of it
words     a preview in sentences
removal   what becomes of a deleted app's licenses
"""
