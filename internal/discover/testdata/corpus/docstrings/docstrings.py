from maze import task


@task(name="one-line")
def one_line():
    """  Does one thing.  """


@task(name="several")
def several():
    """
    Does things.

    Args:
        x: a thing
      y: less

    """


@task(name="raw")
def raw():
    r"""A \d pattern, and a \
continued line."""


@task(name="escapes")
def escapes():
    "A\tb \x41\101\u00e9\U0001F600 \
joined \q"


@task(name="joined")
def joined():
    ("in parentheses"
     ' and joined')
    pass


@task(name="declared", description="Declared.")
def declared():
    """Not this."""


@task(name="formatted")
def formatted():
    f"""No docstring."""


@task(name="bytes")
def as_bytes():
    b"""No docstring."""


@task(name="later")
def later():
    pass
    """No docstring."""


@task(name="commented")
def commented():
    # first
    """图像 and größer."""


@task(name="blank")
def blank():
    """   
    """


@task(name="tabs")
def tabs():
	"""A.

	By a tab.
		By	two.
	"""


@task(name="same-line")
def same_line(): "On the line."; pass


@task(name="added")
def added():
    "A" + "B"
