// Tests that play in real time follow each other: two engines on two cores would disturb one another.
namespace SspHost.EndToEnd.Tests;

[CollectionDefinition("audio", DisableParallelization = true)]
public sealed class AudioCollection;
