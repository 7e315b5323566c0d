// Linked names as a person would write them.
using SspHost.Diagnostics.Symbols;

namespace SspHost.Tests.Symbols;

public sealed class LinkNamesTests
{
    [Theory]
    [InlineData("SspHost_Modules_SspHost_Modules_Vco__Process", "SspHost.Modules.Vco.Process")]
    [InlineData("ssp_engine_SspHost_EngineHost_Bench_MeetModule__Process", "SspHost.EngineHost.Bench.MeetModule.Process")]
    [InlineData("SspHost_Engine_SspHost_Engine_Graph_ModuleEntry_Thunk_1<SspHost_Modules_SspHost_Modules_Delay>__Process", "SspHost.Engine.Graph.ModuleEntry.Thunk<SspHost.Modules.Delay>.Process")]
    [InlineData(
        "SspHost_Engine_SspHost_Engine_Audio_AudioLoop_2<SspHost_Engine_SspHost_Engine_Audio_StreamCard__SspHost_Engine_SspHost_Engine_Service_RendererQuantum>__Publish",
        "SspHost.Engine.Audio.AudioLoop<SspHost.Engine.Audio.StreamCard, SspHost.Engine.Service.RendererQuantum>.Publish")]
    [InlineData("SspHost_Engine_SspHost_Engine_Audio_AlsaPcm__Write_0<SspHost_Engine_SspHost_Engine_Audio_S16>", "SspHost.Engine.Audio.AlsaPcm.Write<SspHost.Engine.Audio.S16>")]
    [InlineData("SspHost_Engine_SspHost_Engine_Graph_ModuleRegistry___c__DisplayClass6_0_1<SspHost_Modules_SspHost_Modules_AudioIn>___Add_b__0", "SspHost.Engine.Graph.ModuleRegistry<SspHost.Modules.AudioIn>.Add (lambda)")]
    [InlineData("ssp_engine_Program____Main___g__EngineVersion_0_2", "ssp.engine.Program.Main.EngineVersion")]
    [InlineData("S_P_CoreLib_System_Collections_Generic_List_1<System___Canon>___ctor_1", "System.Collections.Generic.List<T>.ctor")]
    [InlineData("S_P_CoreLib_System_Collections_Generic_Dictionary_2<Int32__System___Canon>__TryInsert", "System.Collections.Generic.Dictionary<Int32, T>.TryInsert")]
    [InlineData("_ZN3WKS7gc_heap21generation_to_condemnEiPiS1_i", "WKS::gc_heap::generation_to_condemn")]
    [InlineData("SystemNative_SendMessage", "SystemNative_SendMessage")]
    [InlineData("memcpy", "memcpy")]
    [InlineData("_ZN9", "_ZN9")]
    [InlineData("", "")]
    public void A_linked_name_reads_as_in_the_source(string linked, string readable) => Assert.Equal(readable, LinkNames.Readable(linked));

    [Fact]
    public void Whatever_a_name_is_made_of_something_comes_out()
    {
        var random = new Random(3);
        string[] parts = ["_", "__", "___", "<", ">", "System_", "SspHost_", "c", "_b__", "_g__", "0", "1", "Canon", "unbox_", "_ZN", "E", "S_P_", "<Boxed>", "__<unbox>", "DisplayClass"];
        for (var round = 0; round < 20_000; round++)
        {
            var name = string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => parts[random.Next(parts.Length)]));
            Assert.NotEqual("", LinkNames.Readable(name));
        }
    }
}
