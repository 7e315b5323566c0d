// One machine at a time: each takes a core and a gigabyte.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
