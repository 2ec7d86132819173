# for @task
exec "x = 1"
