// The graph's structures are internal; its tests look inside.
using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("SspHost.Engine.Tests")]
