// Somebody else's code for the same job: a library of algorithms to be measured beside our modules.
using System.Runtime.InteropServices;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// The table of one algorithm, <c>ssp_peer</c> of tests/Peers/peer.h: what <c>ssp_peer_get(index)</c> returns for 0, 1, 2 ... until NULL.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PeerTable
{
    public byte* Maker, Algorithm;
    public int Voices, Inputs, Outputs;
    public delegate* unmanaged[Cdecl]<double, int, float, void*> Make;
    public delegate* unmanaged[Cdecl]<void*, int, float**, float**, void> Run;
    public delegate* unmanaged[Cdecl]<void*, void> Free;
}

/// <summary>One instance of a peer and the memory it writes to.</summary>
internal sealed unsafe class Peer : IDisposable
{
    private readonly PeerTable* _table;
    private readonly void* _self;
    private readonly float** _inputs;
    private readonly float** _outputs;
    private readonly float* _samples;
    private readonly int _quantum;

    public Peer(PeerTable* table, int quantum, float volts)
    {
        _table = table;
        _quantum = quantum;
        _self = table->Make(ModuleBenchRig.Rate, quantum, volts);
        _samples = (float*)NativeMemory.AlignedAlloc((nuint)((table->Outputs + 1) * quantum * sizeof(float)), 64);
        _inputs = (float**)NativeMemory.AllocZeroed((nuint)(table->Inputs + 1), (nuint)sizeof(nint));
        _outputs = (float**)NativeMemory.AllocZeroed((nuint)(table->Outputs + 1), (nuint)sizeof(nint));
        for (var o = 0; o < table->Outputs; o++) _outputs[o] = _samples + (o * quantum);
    }

    public float* Output => _samples;

    /// <summary>One quantum of inputs that lie one after the other, <see cref="ModuleBenchRig.InputFrames"/> apart.</summary>
    public void Run(float* inputs)
    {
        for (var i = 0; i < _table->Inputs; i++) _inputs[i] = inputs + ((long)i * ModuleBenchRig.InputFrames);
        _table->Run(_self, _quantum, _inputs, _outputs);
    }

    public void Dispose()
    {
        _table->Free(_self);
        NativeMemory.AlignedFree(_samples);
        NativeMemory.Free(_inputs);
        NativeMemory.Free(_outputs);
    }

    /// <summary>The tables of a library, as addresses; null and why, where it is none.</summary>
    public static List<nint>? Load(string path, out string error)
    {
        error = "";
        if (!NativeLibrary.TryLoad(Path.GetFullPath(path), out var library) || !NativeLibrary.TryGetExport(library, "ssp_peer_get", out var get))
        {
            error = $"{path}: expected a library with ssp_peer_get (tools/peers.sh builds them)";
            return null;
        }

        var tables = new List<nint>();
        for (var i = 0; ((delegate* unmanaged[Cdecl]<int, nint>)get)(i) is var table and not 0; i++) tables.Add(table);
        return tables;
    }
}
