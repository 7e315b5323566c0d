// MIDI as it stands in the region: ports, counts, the events thread.
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>Makes the report; needs no session.</summary>
public static unsafe class MidiSampler
{
    /// <summary>The report; null in a region without MIDI (tests).</summary>
    public static MidiReport? Read(RegionMap map)
    {
        if (map.Header->MidiOffset == 0) return null;
        var status = *map.Midi;
        _ = map.AudioStatus->TryRead(out var audio);
        var ports = new List<MidiPortReport>();
        for (var p = 0; p < MidiLimits.Ports; p++)
        {
            var port = map.MidiPorts[p];
            if (port.State == MidiPortState.None) continue;
            ports.Add(new MidiPortReport
            {
                Name = MidiPorts.NameOf(in port),
                Kind = port.Kind switch { MidiPortKind.Sequencer => "sequencer", MidiPortKind.SequencerPort => "port", _ => "device" },
                State = port.State switch { MidiPortState.Open => "open", MidiPortState.Absent => "absent", _ => "failed" },
                Messages = port.Messages,
                Noise = port.Noise,
            });
        }

        return new MidiReport
        {
            Events = status.Events,
            Moves = status.Moves,
            Late = audio.LateEvents,
            Dropped = status.Dropped,
            Unplayed = status.Unplayed,
            LatencyFrames = status.LatencyFrames,
            Thread = status.Thread.Tid == 0 ? null : StatusSampler.ReadThread(status.Thread),
            Ports = ports,
        };
    }
}
