// Writes WAV files as the samples come; the header is right from the start and final at the end.
using System.Buffers.Binary;

namespace SspHost.Wav;

/// <summary>
/// A streaming writer of interleaved float frames, full scale 1.0 (beyond it PCM clips, float does not). Disposing writes the
/// final sizes; a file cut off before that says what it held at the last <see cref="Save"/>. More than 4 GiB are refused.
/// </summary>
internal sealed class WavWriter : IDisposable
{
    private const int Block = 4096;

    private readonly Stream _stream;
    private readonly string _name;
    private readonly WavEncoding _encoding;
    private readonly bool _dither;
    private readonly int _channels;
    private readonly byte[] _buffer;
    private readonly long _maxBytes;
    private ulong _noise = 0x9E37_79B9_7F4A_7C15;
    private long _bytes, _cueBytes;
    private bool _closed;

    /// <summary>
    /// Starts a file. <paramref name="dither"/> adds triangular noise of one step to 16-bit samples before they are rounded, so that
    /// quiet fades end in hiss and not in distortion.
    /// </summary>
    public WavWriter(Stream stream, string name, int rate, int channels, WavEncoding encoding, bool dither = false, long maxBytes = uint.MaxValue - (1 << 20))
    {
        if (encoding is not (WavEncoding.Pcm16 or WavEncoding.Pcm24 or WavEncoding.Float32))
            throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "Written are pcm16, pcm24 and float.");
        if (channels is < 1 or > 256) throw new ArgumentOutOfRangeException(nameof(channels), channels, "A WAV file has 1 to 256 channels.");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        (_stream, _name, Rate, _channels, _encoding, _dither, _maxBytes) = (stream, name, rate, channels, encoding, dither, maxBytes);
        _buffer = new byte[Block * WavFormat.BytesOf(encoding)];
        WriteHeader();
    }

    /// <summary>Sample rate in Hz.</summary>
    public int Rate { get; }

    /// <summary>Markers, written after the samples when the file is finished.</summary>
    public IReadOnlyList<WavCue> Cues { get; set; } = [];

    /// <summary>Frames written.</summary>
    public long Frames => _bytes / (_channels * WavFormat.BytesOf(_encoding));

    /// <summary>Largest magnitude written, in full scale.</summary>
    public float Peak { get; private set; }

    /// <summary>Creates a file, replacing one that is there.</summary>
    public static WavWriter Create(string path, int rate, int channels, WavEncoding encoding, bool dither = false) =>
        new(new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 1 << 16), path, rate, channels, encoding, dither);

    /// <summary>Writes whole frames. Throws <see cref="WavException"/> where the file would pass 4 GiB; what was written stays readable.</summary>
    public void Write(ReadOnlySpan<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (interleaved.Length % _channels != 0) throw new ArgumentException($"Whole frames of {_channels} samples are written, not {interleaved.Length} samples.", nameof(interleaved));
        var size = WavFormat.BytesOf(_encoding);
        if (_bytes + ((long)interleaved.Length * size) > _maxBytes)
            throw new WavException($"{_name}: a WAV file holds at most {_maxBytes} bytes of samples ({_maxBytes / (size * _channels) / Rate} s of this format); render in parts");
        while (!interleaved.IsEmpty)
        {
            var part = interleaved[..Math.Min(interleaved.Length, Block)];
            Encode(part);
            _stream.Write(_buffer, 0, part.Length * size);
            _bytes += part.Length * size;
            interleaved = interleaved[part.Length..];
        }
    }

    /// <summary>Brings the header up to what was written, so that a file that is cut off later is readable up to here.</summary>
    public void Save()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        var end = _stream.Position;
        _stream.Position = 0;
        WriteHeader();
        _stream.Position = end;
        _stream.Flush();
    }

    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        try
        {
            if ((_bytes & 1) != 0) _stream.WriteByte(0); // chunks end at even bytes
            var cues = WavCues.Write(Cues);
            _stream.Write(cues);
            _cueBytes = cues.Length;
            _stream.Position = 0;
            WriteHeader();
            _stream.Flush();
        }
        finally
        {
            _stream.Dispose();
        }
    }

    // 44 bytes for plain PCM of two channels at most; the extensible form where the plain one is ambiguous (24 bits, more channels).
    // Float files have the plain form and a "fact" chunk for any number of channels, as sox and libsndfile write them: jacks have no
    // place in a room, which is all the extensible form could add, and sox 14.4 warns of every float file in that form.
    private void WriteHeader()
    {
        var size = WavFormat.BytesOf(_encoding);
        var isFloat = _encoding == WavEncoding.Float32;
        var extensible = !isFloat && (_channels > 2 || _encoding == WavEncoding.Pcm24);
        var formatBytes = extensible ? 40 : isFloat ? 18 : 16;
        var total = 12 + 8 + formatBytes + (isFloat ? 12 : 0) + 8;
        Span<byte> h = stackalloc byte[96];
        h.Clear();
        "RIFF"u8.CopyTo(h);
        BinaryPrimitives.WriteUInt32LittleEndian(h[4..], (uint)(total - 8 + _bytes + (_bytes & 1) + _cueBytes));
        "WAVEfmt "u8.CopyTo(h[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(h[16..], formatBytes);
        var f = h[20..];
        BinaryPrimitives.WriteUInt16LittleEndian(f, extensible ? (ushort)0xFFFE : isFloat ? (ushort)3 : (ushort)1);
        BinaryPrimitives.WriteUInt16LittleEndian(f[2..], (ushort)_channels);
        BinaryPrimitives.WriteInt32LittleEndian(f[4..], Rate);
        BinaryPrimitives.WriteInt32LittleEndian(f[8..], Rate * _channels * size);
        BinaryPrimitives.WriteUInt16LittleEndian(f[12..], (ushort)(_channels * size));
        BinaryPrimitives.WriteUInt16LittleEndian(f[14..], (ushort)(size * 8));
        if (extensible)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(f[16..], 22);
            BinaryPrimitives.WriteUInt16LittleEndian(f[18..], (ushort)(size * 8));
            BinaryPrimitives.WriteUInt32LittleEndian(f[20..], _channels switch { 1 => 4u, 2 => 3u, _ => 0u }); // centre; left and right; jacks have no place
            ReadOnlySpan<byte> guid = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
            guid.CopyTo(f[24..]);
        }

        var rest = h[(20 + formatBytes)..];
        if (isFloat)
        {
            "fact"u8.CopyTo(rest);
            BinaryPrimitives.WriteInt32LittleEndian(rest[4..], 4);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[8..], (uint)(_bytes / (_channels * size)));
            rest = rest[12..];
        }

        "data"u8.CopyTo(rest);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[4..], (uint)_bytes);
        _stream.Write(h[..total]);
    }

    private void Encode(ReadOnlySpan<float> samples)
    {
        var peak = Peak;
        foreach (var x in samples) peak = Math.Max(peak, Math.Abs(x));
        Peak = peak;
        switch (_encoding)
        {
            case WavEncoding.Pcm16:
                for (var i = 0; i < samples.Length; i++)
                {
                    var x = samples[i] * 32768.0;
                    if (_dither) x += Uniform() - Uniform();
                    BinaryPrimitives.WriteInt16LittleEndian(_buffer.AsSpan(2 * i), (short)Math.Clamp(Math.Round(x), short.MinValue, short.MaxValue));
                }

                break;
            case WavEncoding.Pcm24:
                for (var i = 0; i < samples.Length; i++)
                {
                    var v = (int)Math.Clamp(Math.Round(samples[i] * 8388608.0), -8388608, 8388607);
                    _buffer[3 * i] = (byte)v;
                    _buffer[(3 * i) + 1] = (byte)(v >> 8);
                    _buffer[(3 * i) + 2] = (byte)(v >> 16);
                }

                break;
            default:
                for (var i = 0; i < samples.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(_buffer.AsSpan(4 * i), samples[i]);
                break;
        }
    }

    // xorshift64* (Vigna 2014): the same noise in every render, so that renders repeat.
    private double Uniform()
    {
        _noise ^= _noise >> 12;
        _noise ^= _noise << 25;
        _noise ^= _noise >> 27;
        return ((_noise * 0x2545_F491_4F6C_DD1D) >> 11) * (1.0 / (1UL << 53));
    }
}
