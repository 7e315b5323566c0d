// Two machines at a time: each takes a core and a gigabyte.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
