from maze import task
from .other import task as tool
