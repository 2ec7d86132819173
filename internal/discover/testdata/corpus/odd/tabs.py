from maze import task
if True:
	@task(
	name="tabs",	cpu_num=	2)
	def tabs(a:	int	=	1):
		return	1

@task(name = 'spaces' )  # after
# between

def   spaces  ( a , b = 2 , ) :
  if a:
        return 1
  return {}


@task\
(name="continued")
def \
continued(a,
          b): return (
    1)
