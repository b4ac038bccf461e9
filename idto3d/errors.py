"""What may go wrong for a user."""


class UserError(Exception):
    """Something the user can fix: one sentence says what, one says what to do.

    The command line prints it and exits with 2; the page shows it.
    """

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy

    def __reduce__(self):
        return UserError, (self.what, self.remedy)  # exceptions travel between processes by their arguments
