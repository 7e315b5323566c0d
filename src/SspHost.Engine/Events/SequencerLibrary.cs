// The sequencer's functions of libasound, looked up when MIDI is first wanted: a machine without it still has its raw devices.
using System.Runtime.InteropServices;
using SspHost.Engine.Loading;

namespace SspHost.Engine.Events;

/// <summary>By their own names without the prefix. Nothing managed is allocated by loading them. [steward]</summary>
internal static unsafe partial class SequencerLibrary
{
    internal const int Duplex = 3, NonBlock = 1;
    internal const uint CanRead = 1, CanWrite = 1 << 1, CanSubscribeRead = 1 << 5, CanSubscribeWrite = 1 << 6, NoExport = 1 << 7;
    internal const uint GenericMidi = 1 << 1, Software = 1 << 17, Application = 1 << 20;
    internal const int StartQueue = SequencerEvent.Start;

    internal static delegate* unmanaged<void**, byte*, int, int, int> Open;
    internal static delegate* unmanaged<void*, int> Close, ClientId, AllocateQueue, Drain;
    internal static delegate* unmanaged<void*, byte*, int> SetClientName;
    internal static delegate* unmanaged<void*, int, int> SetEventFilter;
    internal static delegate* unmanaged<void*, int, int, int, void*, int> ControlQueue;
    internal static delegate* unmanaged<void*, void*, int> CreatePort, NextClient, NextPort;
    internal static delegate* unmanaged<void*, int, int, int, int> ConnectFrom;
    internal static delegate* unmanaged<void*, void*, uint, short, int> PollFiles;
    internal static delegate* unmanaged<void*, int, void*, int> QueueStatus;
    internal static delegate* unmanaged<void*, uint*> StatusRealTime;
    internal static delegate* unmanaged<void**, int> NewClientInfo, NewPortInfo, NewQueueStatus;
    internal static delegate* unmanaged<void*, void> FreeClientInfo, FreePortInfo, FreeQueueStatus;
    internal static delegate* unmanaged<void*, int, void> SetClient, SetPortClient, SetPort, SetStamping, SetStampReal, SetStampQueue;
    internal static delegate* unmanaged<void*, uint, void> SetCapability, SetType;
    internal static delegate* unmanaged<void*, byte*, void> SetPortName;
    internal static delegate* unmanaged<void*, int> ClientOf, PortOf;
    internal static delegate* unmanaged<void*, uint> CapabilityOf;
    internal static delegate* unmanaged<void*, byte*> ClientNameOf, PortNameOf;

    private static bool s_loaded;

    /// <summary>Loads them once; false where libasound is missing or too old.</summary>
    internal static bool TryLoad()
    {
        if (s_loaded) return true;
        if (!SystemLibrary.TryOpen("libasound.so.2\0"u8, out var library)) return false;

        Open = (delegate* unmanaged<void**, byte*, int, int, int>)library.Find("snd_seq_open\0"u8);
        Close = (delegate* unmanaged<void*, int>)library.Find("snd_seq_close\0"u8);
        ClientId = (delegate* unmanaged<void*, int>)library.Find("snd_seq_client_id\0"u8);
        AllocateQueue = (delegate* unmanaged<void*, int>)library.Find("snd_seq_alloc_queue\0"u8);
        Drain = (delegate* unmanaged<void*, int>)library.Find("snd_seq_drain_output\0"u8);
        SetClientName = (delegate* unmanaged<void*, byte*, int>)library.Find("snd_seq_set_client_name\0"u8);
        SetEventFilter = (delegate* unmanaged<void*, int, int>)library.Find("snd_seq_set_client_event_filter\0"u8);
        ControlQueue = (delegate* unmanaged<void*, int, int, int, void*, int>)library.Find("snd_seq_control_queue\0"u8);
        CreatePort = (delegate* unmanaged<void*, void*, int>)library.Find("snd_seq_create_port\0"u8);
        NextClient = (delegate* unmanaged<void*, void*, int>)library.Find("snd_seq_query_next_client\0"u8);
        NextPort = (delegate* unmanaged<void*, void*, int>)library.Find("snd_seq_query_next_port\0"u8);
        ConnectFrom = (delegate* unmanaged<void*, int, int, int, int>)library.Find("snd_seq_connect_from\0"u8);
        PollFiles = (delegate* unmanaged<void*, void*, uint, short, int>)library.Find("snd_seq_poll_descriptors\0"u8);
        QueueStatus = (delegate* unmanaged<void*, int, void*, int>)library.Find("snd_seq_get_queue_status\0"u8);
        StatusRealTime = (delegate* unmanaged<void*, uint*>)library.Find("snd_seq_queue_status_get_real_time\0"u8);
        NewClientInfo = (delegate* unmanaged<void**, int>)library.Find("snd_seq_client_info_malloc\0"u8);
        NewPortInfo = (delegate* unmanaged<void**, int>)library.Find("snd_seq_port_info_malloc\0"u8);
        NewQueueStatus = (delegate* unmanaged<void**, int>)library.Find("snd_seq_queue_status_malloc\0"u8);
        FreeClientInfo = (delegate* unmanaged<void*, void>)library.Find("snd_seq_client_info_free\0"u8);
        FreePortInfo = (delegate* unmanaged<void*, void>)library.Find("snd_seq_port_info_free\0"u8);
        FreeQueueStatus = (delegate* unmanaged<void*, void>)library.Find("snd_seq_queue_status_free\0"u8);
        SetClient = (delegate* unmanaged<void*, int, void>)library.Find("snd_seq_client_info_set_client\0"u8);
        SetPortClient = (delegate* unmanaged<void*, int, void>)library.Find("snd_seq_port_info_set_client\0"u8);
        SetPort = (delegate* unmanaged<void*, int, void>)library.Find("snd_seq_port_info_set_port\0"u8);
        SetStamping = (delegate* unmanaged<void*, int, void>)library.Find("snd_seq_port_info_set_timestamping\0"u8);
        SetStampReal = (delegate* unmanaged<void*, int, void>)library.Find("snd_seq_port_info_set_timestamp_real\0"u8);
        SetStampQueue = (delegate* unmanaged<void*, int, void>)library.Find("snd_seq_port_info_set_timestamp_queue\0"u8);
        SetCapability = (delegate* unmanaged<void*, uint, void>)library.Find("snd_seq_port_info_set_capability\0"u8);
        SetType = (delegate* unmanaged<void*, uint, void>)library.Find("snd_seq_port_info_set_type\0"u8);
        SetPortName = (delegate* unmanaged<void*, byte*, void>)library.Find("snd_seq_port_info_set_name\0"u8);
        ClientOf = (delegate* unmanaged<void*, int>)library.Find("snd_seq_client_info_get_client\0"u8);
        PortOf = (delegate* unmanaged<void*, int>)library.Find("snd_seq_port_info_get_port\0"u8);
        CapabilityOf = (delegate* unmanaged<void*, uint>)library.Find("snd_seq_port_info_get_capability\0"u8);
        ClientNameOf = (delegate* unmanaged<void*, byte*>)library.Find("snd_seq_client_info_get_name\0"u8);
        PortNameOf = (delegate* unmanaged<void*, byte*>)library.Find("snd_seq_port_info_get_name\0"u8);
        s_loaded = library.IsWhole;
        return s_loaded;
    }
}
