def f(:
CORES = 4
