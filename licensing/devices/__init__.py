"""What the page of a device says.

identity    who it is, and who says so
apps        the apps that are wanted or present there, with state, license and the line why
licenses    all that it holds or waits for, in accounts that are open to the reader
history     what happened to it and on it
"""
