VERSION = "1.0"
from .constants import MODEL as REEXPORTED
