// One soak at a time: two would soak each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
