// A sound card for tests, as a plugin of libasound: a converter with a clock of its own, jacks whose volts can be measured, and every
// way a card has to fail. It shares no code with the engine: its sample formats are an oracle for the engine's.
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <alsa/pcm_ioplug.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CHANNELS 8
#define ANALOG 65536 // frames the cable remembers

// What the test and the card share, in a mapped file. Offsets are known to TestCard.cs.
struct bench {
	int32_t gone, busy, xrun, suspend, resumable, rate, format, refuse_mmap; // 0
	int32_t opens, starts, prepares, resumes;                              // 32
	int32_t channels, chmap, no_playback, no_capture;                      // 48: channels: exactly as many; chmap: 1 = FL FR FC LFE RL RR, 2 = the same and it can be set
	int32_t period, capture_ppm, loop, record;                             // 64: period: fixed; loop: capture hears playback
	int64_t played, captured;                                              // 80: frames in all
	float out_full[CHANNELS], out_zero[CHANNELS];                          // 96: volts = zero + full * sample
	float in_full[CHANNELS], in_zero[CHANNELS];                            // 160
	float out_volts[CHANNELS], in_volts[CHANNELS];                         // 224: what a meter shows; what is applied
	int32_t stepped;                                                       // 288: time moves on by a period each time it is waited for, however slow the machine is
	int32_t codes_count;                                                   // 292: codes in the list
	int32_t open, unused;                                                  // 296: directions that are open
	int32_t codes[1 << 20];                                                // 304: channel 0 and 1 as played, as raw codes (float: bits)
};

struct card {
	snd_pcm_ioplug_t io;
	struct bench *bench;
	int timer;
	uint64_t started, frozen; // ns
	int64_t hardware;         // frames done since the start
	int64_t steps;            // periods waited for
	int playing;
};

static struct card *playback; // capture listens to it
static float analog[CHANNELS][ANALOG];
static int64_t analog_start; // ns

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int32_t load(snd_pcm_format_t format, const uint8_t *p)
{
	switch (format) {
	case SND_PCM_FORMAT_S16_LE: return (int16_t)(p[0] | p[1] << 8);
	case SND_PCM_FORMAT_S16_BE: return (int16_t)(p[1] | p[0] << 8);
	case SND_PCM_FORMAT_S24_3LE: case SND_PCM_FORMAT_S24_LE: return (int32_t)((uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 24) >> 8;
	case SND_PCM_FORMAT_S24_3BE: return (int32_t)((uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24) >> 8;
	case SND_PCM_FORMAT_S24_BE: return (int32_t)((uint32_t)p[3] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 24) >> 8;
	case SND_PCM_FORMAT_S32_LE: case SND_PCM_FORMAT_FLOAT_LE: return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
	default: return (int32_t)((uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24);
	}
}

static double unit(snd_pcm_format_t format)
{
	switch (snd_pcm_format_width(format)) {
	case 16: return 32768;
	case 24: return 8388608;
	default: return 2147483648.0;
	}
}

static double value(snd_pcm_format_t format, int32_t code)
{
	float f;
	if (!snd_pcm_format_float(format)) return code / unit(format);
	memcpy(&f, &code, 4);
	return f;
}

static void store(snd_pcm_format_t format, uint8_t *p, double v)
{
	int32_t code;
	int bytes = snd_pcm_format_physical_width(format) / 8, i, width = snd_pcm_format_width(format);
	if (snd_pcm_format_float(format)) {
		float f = (float)v;
		memcpy(&code, &f, 4);
	} else {
		double c = nearbyint(v * unit(format));
		code = (int32_t)fmax(-unit(format), fmin(unit(format) - 1, c));
		if (width == 24 && bytes == 4) code = (code & 0xFFFFFF) | 0x5A000000; // the fourth byte is anything
	}
	for (i = 0; i < bytes; i++) p[snd_pcm_format_big_endian(format) ? bytes - 1 - i : i] = (uint8_t)((uint32_t)code >> (8 * i));
}

static int64_t elapsed(struct card *c, uint64_t t)
{
	double rate = c->io.rate;
	if (c->io.stream == SND_PCM_STREAM_CAPTURE) rate *= 1 + c->bench->capture_ppm * 1e-6;
	if (c->bench->stepped) {
		struct card *pace = c->io.stream == SND_PCM_STREAM_CAPTURE && playback ? playback : c;
		return (int64_t)((double)(pace->steps * (int64_t)pace->io.period_size) * rate / c->io.rate);
	}
	return (int64_t)((double)(t - c->started) * rate / 1e9);
}

// The cable's frame at which a stream's frame n happens: both count from the same moment.
static int64_t place(struct card *c, int64_t n)
{
	return c->bench->stepped ? n : (int64_t)((double)(int64_t)(c->started - (uint64_t)analog_start) * c->io.rate / 1e9) + n;
}

// The converter does what became due; frames never lie outside of what the application committed.
static void run(struct card *c, int64_t until)
{
	const snd_pcm_channel_area_t *areas = snd_pcm_ioplug_mmap_areas(&c->io);
	struct bench *b = c->bench;
	unsigned int ch;
	if (!areas) return;
	for (; c->hardware < until; c->hardware++) {
		snd_pcm_uframes_t at = (snd_pcm_uframes_t)c->hardware % c->io.buffer_size;
		for (ch = 0; ch < c->io.channels && ch < CHANNELS; ch++) {
			uint8_t *p = (uint8_t *)areas[ch].addr + (areas[ch].first + at * areas[ch].step) / 8;
			// The cable is heard a little later: the two directions do not advance in the same instant.
			int64_t frame = place(c, c->hardware) + ANALOG - (c->io.stream == SND_PCM_STREAM_CAPTURE ? 16 : 0);
			float *line = &analog[ch][(uint64_t)frame % ANALOG];
			if (c->io.stream == SND_PCM_STREAM_PLAYBACK) {
				int32_t code = load(c->io.format, p);
				b->out_volts[ch] = *line = (float)(b->out_zero[ch] + b->out_full[ch] * value(c->io.format, code));
				if (b->record && ch < 2 && b->codes_count < 1 << 20) b->codes[b->codes_count++] = code;
			} else {
				store(c->io.format, p, ((b->loop ? *line : b->in_volts[ch]) - b->in_zero[ch]) / b->in_full[ch]);
			}
		}
		if (c->io.stream == SND_PCM_STREAM_PLAYBACK) b->played++;
		else b->captured++;
	}
}

static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	int64_t due;
	if (c->bench->gone) snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
	else if (c->bench->suspend && io->state == SND_PCM_STATE_RUNNING) {
		c->frozen = now();
		c->bench->suspend--;
		snd_pcm_ioplug_set_state(io, SND_PCM_STATE_SUSPENDED);
	}
	if (io->state != SND_PCM_STATE_RUNNING || !c->playing) return (snd_pcm_sframes_t)((snd_pcm_uframes_t)c->hardware % io->buffer_size);
	if (c->bench->xrun && io->stream == SND_PCM_STREAM_PLAYBACK) {
		c->bench->xrun--;
		return -EPIPE;
	}
	due = elapsed(c, now());
	if (io->stream == SND_PCM_STREAM_PLAYBACK) {
		int64_t written = (int64_t)io->appl_ptr;
		if (due > written) {
			run(c, written);
			return -EPIPE;
		}
	} else {
		if (c->bench->loop && playback && playback->playing) (void)pointer(&playback->io);
		if (due > (int64_t)io->appl_ptr + (int64_t)io->buffer_size) return -EPIPE;
	}
	run(c, due);
	return (snd_pcm_sframes_t)((snd_pcm_uframes_t)c->hardware % io->buffer_size);
}

static int start(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	uint64_t period = (uint64_t)io->period_size * 1000000000u / io->rate;
	if (c->bench->stepped) period = 1000000;
	struct itimerspec t = { { (time_t)(period / 1000000000u), (long)(period % 1000000000u) }, { (time_t)(period / 1000000000u), (long)(period % 1000000000u) } };
	if (c->bench->gone) return -ENODEV;
	c->bench->starts++;
	c->started = now();
	if (!analog_start) analog_start = (int64_t)c->started;
	c->hardware = c->steps = 0;
	c->playing = 1;
	return timerfd_settime(c->timer, 0, &t, NULL) < 0 ? -errno : 0;
}

static int stop(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	struct itimerspec t = { { 0, 0 }, { 0, 0 } };
	c->playing = 0;
	timerfd_settime(c->timer, 0, &t, NULL);
	return 0;
}

static int prepare(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	if (c->bench->gone) return -ENODEV;
	if (io->stream == SND_PCM_STREAM_PLAYBACK) c->bench->prepares++;
	c->hardware = 0;
	return 0;
}

static int resume(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	if (io->stream == SND_PCM_STREAM_PLAYBACK) c->bench->resumes++;
	if (!c->bench->resumable) return 0; // the library says 0 whatever we say; the state tells
	if (io->state != SND_PCM_STATE_SUSPENDED) return 0;
	if (io->stream == SND_PCM_STREAM_PLAYBACK) usleep((useconds_t)c->bench->resumable * 1000); // the system is asleep
	c->started += now() - c->frozen;
	snd_pcm_ioplug_set_state(io, SND_PCM_STATE_RUNNING);
	return 0;
}

static int revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned int count, unsigned short *events)
{
	struct card *c = io->private_data;
	uint64_t ticks;
	(void)count;
	*events = 0;
	if (!(fds->revents & POLLIN)) return 0;
	(void)!read(c->timer, &ticks, sizeof ticks);
	if (io->stream == SND_PCM_STREAM_PLAYBACK || !playback) c->steps++;
	else playback->steps++;
	(void)pointer(io);
	if (io->state == SND_PCM_STATE_DISCONNECTED || io->state == SND_PCM_STATE_SUSPENDED) *events = POLLERR;
	else *events = io->stream == SND_PCM_STREAM_PLAYBACK ? POLLOUT : POLLIN;
	return 0;
}

static int close_card(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	if (playback == c) playback = NULL;
	c->bench->open--;
	close(c->timer);
	munmap(c->bench, sizeof *c->bench);
	free(c);
	return 0;
}

static const int mixed[2][6] = { { SND_CHMAP_FL, SND_CHMAP_FR, SND_CHMAP_FC, SND_CHMAP_LFE, SND_CHMAP_RL, SND_CHMAP_RR }, { 0 } };
static int order[6];

static snd_pcm_chmap_t *get_chmap(snd_pcm_ioplug_t *io)
{
	struct card *c = io->private_data;
	snd_pcm_chmap_t *map;
	if (!c->bench->chmap || io->channels != 6) return NULL;
	map = malloc(sizeof *map + 6 * sizeof(int));
	map->channels = 6;
	memcpy(map->pos, order[0] ? order : mixed[0], 6 * sizeof(int));
	return map;
}

static int set_chmap(snd_pcm_ioplug_t *io, const snd_pcm_chmap_t *map)
{
	struct card *c = io->private_data;
	if (c->bench->chmap != 2 || map->channels != 6) return -ENXIO;
	memcpy(order, map->pos, sizeof order);
	return 0;
}

static const snd_pcm_ioplug_callback_t callback = {
	.start = start, .stop = stop, .pointer = pointer, .prepare = prepare, .resume = resume, .poll_revents = revents, .close = close_card,
	.get_chmap = get_chmap, .set_chmap = set_chmap,
};

static int constrain(struct card *c)
{
	static const unsigned int accesses[] = { SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED };
	static const unsigned int formats[] = { SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S16_BE, SND_PCM_FORMAT_S24_LE, SND_PCM_FORMAT_S24_BE,
		SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_S24_3BE, SND_PCM_FORMAT_S32_LE, SND_PCM_FORMAT_S32_BE, SND_PCM_FORMAT_FLOAT_LE, SND_PCM_FORMAT_FLOAT_BE };
	struct bench *b = c->bench;
	unsigned int format = (unsigned int)(b->format - 1), low = 1, high = CHANNELS, rate_low = 44100, rate_high = 192000;
	int e;
	if (b->channels) low = high = (unsigned int)b->channels;
	if (b->rate) rate_low = rate_high = (unsigned int)b->rate;
	if ((e = snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_ACCESS, b->refuse_mmap ? 1 : 2, b->refuse_mmap ? accesses + 1 : accesses)) < 0) return e;
	if ((e = snd_pcm_ioplug_set_param_list(&c->io, SND_PCM_IOPLUG_HW_FORMAT, b->format ? 1 : 10, b->format ? &format : formats)) < 0) return e;
	if ((e = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_CHANNELS, low, high)) < 0) return e;
	if ((e = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_RATE, rate_low, rate_high)) < 0) return e;
	if ((e = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 64, 1 << 20)) < 0) return e;
	if (b->period && b->channels && b->format) {
		unsigned int bytes = (unsigned int)(b->period * b->channels * snd_pcm_format_physical_width((snd_pcm_format_t)format) / 8);
		if ((e = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, bytes, bytes)) < 0) return e;
	} else if ((e = snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 16, 1 << 19)) < 0) return e;
	return snd_pcm_ioplug_set_param_minmax(&c->io, SND_PCM_IOPLUG_HW_PERIODS, 2, 1024);
}

SND_PCM_PLUGIN_DEFINE_FUNC(sspcard)
{
	snd_config_iterator_t i, next;
	const char *path = NULL;
	struct bench *bench;
	struct card *c;
	int fd, e;
	(void)root;
	snd_config_for_each(i, next, conf) {
		snd_config_t *n = snd_config_iterator_entry(i);
		const char *id;
		if (snd_config_get_id(n, &id) < 0) continue;
		if (!strcmp(id, "bench")) snd_config_get_string(n, &path);
	}
	if (!path || (fd = open(path, O_RDWR)) < 0) return -ENOENT;
	bench = mmap(NULL, sizeof *bench, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (bench == MAP_FAILED) return -ENOMEM;
	bench->opens++;
	e = bench->gone ? -ENODEV : bench->busy ? -EBUSY : 0;
	if (stream == SND_PCM_STREAM_PLAYBACK ? bench->no_playback : bench->no_capture) e = -ENOENT;
	if (e < 0 || !(c = calloc(1, sizeof *c))) {
		munmap(bench, sizeof *bench);
		return e < 0 ? e : -ENOMEM;
	}
	c->bench = bench;
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	c->io.version = SND_PCM_IOPLUG_VERSION;
	c->io.name = "SspHost test card";
	c->io.callback = &callback;
	c->io.private_data = c;
	c->io.mmap_rw = 1;
	c->io.poll_fd = c->timer;
	c->io.poll_events = POLLIN;
	if ((e = snd_pcm_ioplug_create(&c->io, name, stream, mode)) < 0) {
		close(c->timer);
		munmap(bench, sizeof *bench);
		free(c);
		return e;
	}
	if ((e = constrain(c)) < 0) {
		bench->open++; // deleting closes it
		snd_pcm_ioplug_delete(&c->io);
		return e;
	}
	if (stream == SND_PCM_STREAM_PLAYBACK) playback = c;
	bench->open++;
	order[0] = 0;
	*pcmp = c->io.pcm;
	return 0;
}

SND_PCM_PLUGIN_SYMBOL(sspcard);
