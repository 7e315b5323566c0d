// The simulated card in a world with faults: its own logic decides about xruns, the world about everything else.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio.Faults;

/// <summary>The converter's clock: its now, and sleeps that end when it, not the world, says so.</summary>
internal readonly unsafe struct ConverterClock(FaultWorld* world) : ICardClock
{
    private readonly FaultWorld* _world = world;

    public ulong Now() => _world->Began + _world->Converted(_world->Now);

    public void SleepUntil(ulong time) => _world->SleepUntil(_world->Unconverted(time - _world->Began));
}

/// <summary>Frames counted as output 0, the input as output 1; in the world's time.</summary>
internal unsafe struct WorldQuantum : IQuantum
{
    public FaultWorld* World;
    public long Calls;

    public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
    {
        for (var i = 0; i < World->Quantum; i++)
        {
            outputs[0][i] = frame + (ulong)i + 1;
            outputs[1][i] = inputs[0][i];
        }

        Calls++;
        World->Render(frame);
        return true;
    }

    public readonly bool Resume(float** inputs, int inputCount, float** outputs, int outputCount) => throw new NotSupportedException("nobody is stuck here");

    public readonly void Judge(bool late)
    {
    }

    public readonly void Report(ref AudioStatus status)
    {
    }

    public readonly Culprit Culprit() => new() { Slot = 5, Key = (ulong)Calls, Nanoseconds = World->LastCost };
}

internal unsafe struct FaultyCard(FaultWorld* world, SimulatedCard<ConverterClock> card) : ICard
{
    private readonly FaultWorld* _world = world;
    private SimulatedCard<ConverterClock> _card = card;

    public readonly CardFacts Facts => _card.Facts;

    public readonly int Error => 0;

    public readonly ulong Now() => _world->Time->Now;

    public int Start()
    {
        _world->Running = true;
        return _card.Start();
    }

    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        _world->Look();
        if (!_world->Running && !_world->IsAway) return Stopped();
        var until = _world->Now + timeoutNs;
        while (true)
        {
            // A poll ends when something happens to the device, too.
            var next = Math.Min(until, _world->NextEvent());
            var wait = _card.Wait(quantum, _world->Converted(next) - _world->Converted(_world->Now) + 1);
            _world->Look();
            if (_world->IsAway)
            {
                _world->AwayTold = true;
                return new CardWait { State = CardState.Away, Available = wait.State == CardState.XRun ? quantum : wait.Available };
            }

            if (!_world->Running)
            {
                if (wait.State != CardState.XRun) return Stopped();
            }
            else if (wait.State == CardState.XRun)
            {
                _world->Disagreements++;
            }
            else if (wait.State == CardState.TimedOut && _world->Now < until)
            {
                continue;
            }

            wait.ReadyAt = _world->StampOf(_world->Began + _world->Unconverted(wait.ReadyAt - _world->Began));
            return wait;
        }
    }

    public void Capture(float** inputs, int frames)
    {
        _card.Capture(inputs, frames);
        if (_world->IsAway) new Span<float>(inputs[0], frames).Clear();
    }

    public CardState Play(float** outputs, int frames)
    {
        _world->Look();
        var wasAway = !_world->Running && _world->Stops[_world->StopCount - 1].Cause == DropoutCause.Unplugged;
        if (!_world->Running && !wasAway) return CardState.XRun;
        if (_card.Play(outputs, frames) == CardState.XRun)
        {
            if (_world->Running) _world->Disagreements++;
            return CardState.XRun;
        }

        var at = _world->Position;
        _world->Position += (ulong)frames;
        if (wasAway)
        {
            _world->AwayTold = true;
            _world->Erase(at + (ulong)_world->Buffer, _world->Position + (ulong)_world->Buffer);
            return CardState.Away;
        }

        if (_world->LastCost > _world->QuantumNs) _world->Late++;
        return CardState.Ready;
    }

    public CardRecovery Recover()
    {
        _world->Look();
        if (_world->Running) _world->Disagreements++;
        var skipped = _card.Recover().Skipped;
        _world->Position += (ulong)skipped;
        if (_world->IsAway)
        {
            _world->AwayTold = true;
            return new CardRecovery { State = CardState.Away, Skipped = skipped };
        }

        _world->Run();
        return new CardRecovery { Skipped = skipped, Unplayed = _world->Unplayed, Early = _world->Early };
    }

    public readonly void Rescale(JackBench* lines) => _card.Rescale(lines);

    public readonly void Stop() => _card.Stop();

    // A device that stopped wakes who polls it.
    private readonly CardWait Stopped()
    {
        var at = _world->Stops[_world->StopCount - 1].Cause == DropoutCause.Unplugged ? _world->Now : _world->StoppedAt;
        return new CardWait { State = CardState.XRun, ReadyAt = _world->StampOf(_world->Began + at), ReadyFrame = _world->FramesAt(at) };
    }
}
