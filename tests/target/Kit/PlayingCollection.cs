// The classes that share one machine.
namespace SspHost.Target.Kit;

/// <summary>Each of their tests leaves the host playing.</summary>
[CollectionDefinition(Name)]
public sealed class PlayingCollection : ICollectionFixture<PlayingTarget>
{
    public const string Name = "A machine that plays";
}
