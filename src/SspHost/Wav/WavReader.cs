// Reads WAV files strictly: what is wrong is said with its byte, what is odd but legal (unknown chunks, any order, RF64) is read.
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace SspHost.Wav;

/// <summary>
/// A recording as interleaved float frames, full scale 1.0. RIFF/WAVE after Microsoft's "Multiple channel audio data and WAVE
/// files" (WAVE_FORMAT_EXTENSIBLE) and EBU Tech 3306 (RF64, ds64). PCM of 8, 16, 24 and 32 bits, float of 32 and 64. What stands behind
/// format and samples is looked through for <see cref="WavFacts"/>, and damage there spoils nothing.
/// </summary>
internal sealed class WavReader : IDisposable
{
    private const ushort TagPcm = 1, TagFloat = 3, TagExtensible = 0xFFFE;
    private const uint SizeInDs64 = 0xFFFF_FFFF;

    private static ReadOnlySpan<byte> SubFormatTail => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    private readonly Stream _stream;
    private readonly string _name;
    private byte[] _buffer = [];
    private long _dataStart;
    private bool _haveFormat;
    private bool _haveData;
    private long _dataBytes;
    private int _align;

    private WavReader(Stream stream, string name)
    {
        _stream = stream;
        _name = name;
        Facts = new WavFacts(name);
        ReadChunks();
    }

    /// <summary>Sample rate in Hz.</summary>
    public int Rate { get; private set; }

    /// <summary>Channels, 1..256.</summary>
    public int Channels { get; private set; }

    /// <summary>How samples are stored.</summary>
    public WavEncoding Encoding { get; private set; }

    /// <summary>Frames in the file.</summary>
    public long Frames => _dataBytes / _align;

    /// <summary>What the file says of its samples: loop, pitch, markers, waves.</summary>
    public WavFacts Facts { get; }

    /// <summary>Frame the next <see cref="Read"/> starts at.</summary>
    public long Position { get; private set; }

    /// <summary>Opens a file. Throws <see cref="WavException"/> for one that is no readable WAV, <see cref="IOException"/> if it cannot be opened.</summary>
    public static WavReader Open(string path)
    {
        if (Directory.Exists(path)) throw new WavException($"{path}: this is a folder, expected a WAV file");
        if (!File.Exists(path)) throw new WavException($"{path}: there is no such file, expected a WAV file");
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return Open(file, path);
    }

    /// <summary>Reads from a seekable stream, which the reader then owns; <paramref name="name"/> is for messages.</summary>
    public static WavReader Open(Stream stream, string name)
    {
        try
        {
            return new WavReader(stream, name);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads whole frames into <paramref name="interleaved"/> and returns their number; 0 at the end.</summary>
    public int Read(Span<float> interleaved)
    {
        var frames = (int)Math.Min(interleaved.Length / Channels, Frames - Position);
        if (frames <= 0) return 0;
        var bytes = frames * _align;
        if (_buffer.Length < bytes) _buffer = new byte[bytes];
        var raw = _buffer.AsSpan(0, bytes);
        var at = _dataStart + (Position * _align);
        if (_stream.Position != at) _stream.Position = at;
        var got = _stream.ReadAtLeast(raw, bytes, throwOnEndOfStream: false);
        if (got < bytes) throw Bad(at + got, $"{bytes - got} more bytes of samples; the file was cut while it was read");
        Decode(raw, interleaved[..(frames * Channels)]);
        Position += frames;
        return frames;
    }

    /// <summary>Goes back to a frame.</summary>
    public void Seek(long frame)
    {
        if (frame < 0 || frame > Frames) throw new ArgumentOutOfRangeException(nameof(frame), frame, $"The recording has {Frames} frames.");
        Position = frame;
    }

    public void Dispose() => _stream.Dispose();

    private void ReadChunks()
    {
        var length = _stream.Length;
        Span<byte> header = stackalloc byte[12];
        Span<byte> sizes = stackalloc byte[16];
        if (length == 0) throw Bad(0, "a WAV file, it is empty");
        ReadExactly(header, "\"RIFF\", a size and \"WAVE\"");
        var rf64 = header[..4].SequenceEqual("RF64"u8);
        if (!rf64 && !header[..4].SequenceEqual("RIFF"u8)) throw Bad(0, $"\"RIFF\" or \"RF64\", not {Quote(header[..4])}");
        if (!header[8..].SequenceEqual("WAVE"u8)) throw Bad(8, $"\"WAVE\", not {Quote(header[8..])}");

        long? ds64Data = null;
        while (_stream.Position + 8 <= length && !(_haveFormat && _haveData))
        {
            var at = _stream.Position;
            var chunk = header[..8];
            ReadExactly(chunk, "a chunk");
            long size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            var body = at + 8;
            if (chunk[..4].SequenceEqual("ds64"u8))
            {
                if (!rf64) throw Bad(at, "no \"ds64\" chunk in a file that is not RF64");
                if (size < 24) throw Bad(at + 4, $"a \"ds64\" chunk of at least 24 bytes, not {size}");
                ReadExactly(sizes, "the sizes of \"ds64\"");
                ds64Data = BinaryPrimitives.ReadInt64LittleEndian(sizes[8..]);
                if (ds64Data < 0) throw Bad(body + 8, $"a data size, not {ds64Data}");
            }
            else if (chunk[..4].SequenceEqual("fmt "u8))
            {
                if (_haveFormat) throw Bad(at, "one \"fmt \" chunk, this is the second");
                ReadFormat(body, size, length);
            }
            else if (chunk[..4].SequenceEqual("data"u8))
            {
                if (_haveData) throw Bad(at, "one \"data\" chunk, this is the second");
                if (rf64 && size == SizeInDs64) size = ds64Data ?? throw Bad(at + 4, "a \"ds64\" chunk before this, which gives the data's size");
                if (size > length - body) throw Bad(length, $"{size - (length - body)} more bytes of samples (the \"data\" chunk at byte {Text(at)} says {Text(size)})");
                _haveData = true;
                _dataStart = body;
                _dataBytes = size;
            }
            else if (size <= length - body)
            {
                ReadFacts(chunk[..4], body, size);
            }

            var next = body + size + (size & 1); // chunks start at even bytes
            if (next > length && !(next == length + 1 && (size & 1) != 0))
                throw Bad(length, $"{next - length} more bytes of chunk {Quote(chunk[..4])} at byte {Text(at)}");
            _stream.Position = Math.Min(next, length);
        }

        if (!_haveFormat) throw Bad(length, "a \"fmt \" chunk before the end");
        if (!_haveData) throw Bad(length, "a \"data\" chunk before the end");
        if (_dataBytes % _align != 0)
            throw Bad(_dataStart + _dataBytes, $"whole frames of {_align} bytes, {_dataBytes % _align} are left over");
        ReadRest(length);
        Facts.Check(Frames);
        _stream.Position = _dataStart;
    }

    // Behind format and samples: what is cut off there, or is no chunk at all, was never needed.
    private void ReadRest(long length)
    {
        Span<byte> chunk = stackalloc byte[8];
        while (_stream.Position + 8 <= length)
        {
            var at = _stream.Position;
            if (_stream.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false) < chunk.Length) return;
            long size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            var body = at + 8;
            if (size > length - body)
            {
                Facts.Warn(at, $"a chunk within the file, not {Text(size)} bytes of {Quote(chunk[..4])}");
                return;
            }

            ReadFacts(chunk[..4], body, size);
            _stream.Position = Math.Min(body + size + (size & 1), length);
        }
    }

    private void ReadFacts(ReadOnlySpan<byte> id, long body, long size)
    {
        if (!Facts.Wants(id, body, size)) return;
        var bytes = new byte[size];
        if (_stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length) Facts.Read(id, bytes, body);
    }

    private void ReadFormat(long at, long size, long length)
    {
        if (size is < 16 or > 4096) throw Bad(at - 4, $"a \"fmt \" chunk of 16 to 4096 bytes, not {size}");
        if (size > length - at) throw Bad(length, $"{size - (length - at)} more bytes of the \"fmt \" chunk");
        Span<byte> f = stackalloc byte[40];
        f.Clear();
        ReadExactly(f[..(int)Math.Min(size, 40)], "the format");
        var tag = BinaryPrimitives.ReadUInt16LittleEndian(f);
        var channels = BinaryPrimitives.ReadUInt16LittleEndian(f[2..]);
        var rate = BinaryPrimitives.ReadUInt32LittleEndian(f[4..]);
        var align = BinaryPrimitives.ReadUInt16LittleEndian(f[12..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(f[14..]);
        if (tag == TagExtensible)
        {
            if (size < 40) throw Bad(at, $"40 bytes of an extensible format, not {size}");
            // The sub-format is a GUID whose first two bytes are the old tag; the other fourteen are the same for all of them.
            if (!f[26..40].SequenceEqual(SubFormatTail))
                throw Bad(at + 24, "a sub-format of PCM or float");
            tag = BinaryPrimitives.ReadUInt16LittleEndian(f[24..]);
        }

        Encoding = (tag, bits) switch
        {
            (TagPcm, 8) => WavEncoding.Pcm8,
            (TagPcm, 16) => WavEncoding.Pcm16,
            (TagPcm, 24) => WavEncoding.Pcm24,
            (TagPcm, 32) => WavEncoding.Pcm32,
            (TagFloat, 32) => WavEncoding.Float32,
            (TagFloat, 64) => WavEncoding.Float64,
            (TagPcm or TagFloat, _) => throw Bad(at + 14, $"8, 16, 24 or 32 bits of PCM or 32 or 64 of float, not {bits} bits of {(tag == TagPcm ? "PCM" : "float")}"),
            _ => throw Bad(at, $"PCM (1) or float (3), not format tag {tag} (compressed files are not read)"),
        };
        if (channels is 0 or > 256) throw Bad(at + 2, $"1 to 256 channels, not {channels}");
        if (rate is 0 or > 1_000_000) throw Bad(at + 4, $"a sample rate up to 1000000 Hz, not {rate}");
        if (align != channels * WavFormat.BytesOf(Encoding)) throw Bad(at + 12, $"frames of {channels * WavFormat.BytesOf(Encoding)} bytes, not {align}");
        Channels = channels;
        Rate = (int)rate;
        _align = align;
        _haveFormat = true;
    }

    private void Decode(ReadOnlySpan<byte> raw, Span<float> samples)
    {
        switch (Encoding)
        {
            case WavEncoding.Pcm8:
                for (var i = 0; i < samples.Length; i++) samples[i] = (raw[i] - 128) / 128f;
                break;
            case WavEncoding.Pcm16:
                for (var i = 0; i < samples.Length; i++) samples[i] = BinaryPrimitives.ReadInt16LittleEndian(raw[(2 * i)..]) / 32768f;
                break;
            case WavEncoding.Pcm24:
                for (var i = 0; i < samples.Length; i++)
                    samples[i] = (raw[3 * i] | (raw[(3 * i) + 1] << 8) | ((sbyte)raw[(3 * i) + 2] << 16)) / 8388608f;
                break;
            case WavEncoding.Pcm32:
                for (var i = 0; i < samples.Length; i++) samples[i] = BinaryPrimitives.ReadInt32LittleEndian(raw[(4 * i)..]) / 2147483648f;
                break;
            case WavEncoding.Float32:
                for (var i = 0; i < samples.Length; i++) samples[i] = BinaryPrimitives.ReadSingleLittleEndian(raw[(4 * i)..]);
                break;
            default:
                for (var i = 0; i < samples.Length; i++) samples[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(raw[(8 * i)..]);
                break;
        }
    }

    private void ReadExactly(Span<byte> into, string expected)
    {
        var at = _stream.Position;
        var got = _stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
        if (got < into.Length) throw Bad(at + got, $"{expected}; the file ends here");
    }

    private WavException Bad(long at, string expected) => new($"{_name}, byte {Text(at)}: expected {expected}");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Quote(ReadOnlySpan<byte> four)
    {
        var text = new StringBuilder("\"");
        foreach (var b in four) text.Append(b is >= 32 and < 127 ? (char)b : '.');
        return text.Append('"').ToString();
    }
}
