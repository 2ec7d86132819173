module github.com/maze-agent/maregister/test/deploy

go 1.26.0

replace github.com/maze-agent/maregister => ../..
