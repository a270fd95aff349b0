/*
 * outbox: the state machine of writes under way. See outbox.h.
 *
 * State: a list of errands in order of arrival and one of those that are halfway, in order of their first writes; three counts, the allowance
 * of last writes, and the window of what may be out, between 1 and in_flight_max. Everything that is not over is in one of the lists.
 */
#include <scheduler/outbox.h>

#include <stdlib.h>

enum { FIRST_RETRY_MS = 100, LAST_RETRY_MS = 3200, SECOND_MS = 1000, SLOW_MS = 2000, AHEAD_S = 10 };

struct line {
	struct stint_errand *first, *last;
};

struct stint_outbox {
	struct stint_outbox_hooks hooks;
	size_t in_flight_max, in_flight, count;
	size_t window, good; /* so many may be out; so many good answers since it was last changed */
	int64_t narrowed_ms; /* what was sent before says nothing about the window since */
	struct line all, halfway; /* `all` less those that are halfway */
	size_t halfway_count;
	struct stint_errand *unsent; /* the first that is QUEUED: those before it have been sent. NULL: none is */
	unsigned per_second;
	int64_t allowance, counted_ms; /* in thousandths of an errand, as of then */
};

enum stint_errand_outcome stint_errand_outcome_of_status(int http_status)
{
	if (http_status >= 200 && http_status < 300)
		return STINT_ERRAND_DONE;
	if (http_status == 404)
		return STINT_ERRAND_GONE;
	if (http_status == 409)
		return STINT_ERRAND_CONFLICT;
	/* 401: the credentials are renewed and the next attempt has new ones. */
	if (http_status < 400 || http_status >= 500 || http_status == 401 || http_status == 408 || http_status == 429)
		return STINT_ERRAND_UNCERTAIN;
	return STINT_ERRAND_REFUSED;
}

struct stint_outbox *stint_outbox_new(size_t in_flight_max, unsigned per_second, const struct stint_outbox_hooks *hooks)
{
	struct stint_outbox *outbox = stint_alloc(sizeof(*outbox));
	outbox->hooks = *hooks;
	outbox->in_flight_max = outbox->window = in_flight_max;
	outbox->narrowed_ms = INT64_MIN;
	outbox->per_second = per_second;
	outbox->allowance = (int64_t)per_second * SECOND_MS;
	return outbox;
}

static bool is_out(const struct stint_errand *errand)
{
	return errand->state == STINT_ERRAND_SENT || errand->state == STINT_ERRAND_CHECKING;
}

static void discard_line(struct stint_outbox *outbox, struct line *line)
{
	for (struct stint_errand *errand = line->first, *next; errand; errand = next) {
		next = errand->next;
		if (is_out(errand))
			outbox->hooks.cancel(outbox->hooks.user, errand);
		outbox->hooks.discard(errand);
	}
}

void stint_outbox_free(struct stint_outbox *outbox)
{
	if (!outbox)
		return;
	discard_line(outbox, &outbox->all);
	discard_line(outbox, &outbox->halfway);
	free(outbox);
}

/* before: NULL: at the end. */
static void link_errand(struct line *line, struct stint_errand *errand, struct stint_errand *before)
{
	errand->next = before;
	errand->previous = before ? before->previous : line->last;
	*(errand->previous ? &errand->previous->next : &line->first) = errand;
	*(before ? &before->previous : &line->last) = errand;
}

static void unlink_errand(struct stint_outbox *outbox, struct stint_errand *errand)
{
	const bool halfway = errand->state == STINT_ERRAND_HALFWAY;
	struct line *line = halfway ? &outbox->halfway : &outbox->all;
	outbox->halfway_count -= halfway;
	if (outbox->unsent == errand)
		outbox->unsent = errand->next;
	*(errand->previous ? &errand->previous->next : &line->first) = errand->next;
	*(errand->next ? &errand->next->previous : &line->last) = errand->previous;
}

void stint_outbox_add(struct stint_outbox *outbox, struct stint_errand *errand)
{
	link_errand(&outbox->all, errand, NULL);
	if (!outbox->unsent)
		outbox->unsent = errand;
	outbox->count++;
}

static void end(struct stint_outbox *outbox, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message)
{
	unlink_errand(outbox, errand);
	outbox->count--;
	if (errand->owner)
		outbox->hooks.done(outbox->hooks.user, errand, outcome, message);
	outbox->hooks.discard(errand);
}

void stint_outbox_drop(struct stint_outbox *outbox, struct stint_errand *errand)
{
	errand->owner = NULL;
	if (!is_out(errand))
		end(outbox, errand, STINT_ERRAND_GONE, NULL);
}

static void send(struct stint_outbox *outbox, struct stint_errand *errand, enum stint_errand_state state, int64_t now_ms)
{
	if (errand->state == STINT_ERRAND_HALFWAY) {
		unlink_errand(outbox, errand);
		link_errand(&outbox->all, errand, outbox->all.first);
	} else if (outbox->unsent == errand) {
		outbox->unsent = errand->next;
	}
	errand->state = state;
	errand->sent_ms = now_ms;
	if (state == STINT_ERRAND_SENT)
		errand->attempts++;
	outbox->in_flight++;
	outbox->hooks.send(outbox->hooks.user, errand);
}

/* When the pace allows one more: now_ms, or later. */
static int64_t pace(struct stint_outbox *outbox, int64_t now_ms)
{
	if (!outbox->per_second)
		return now_ms;
	const int64_t whole = (int64_t)outbox->per_second * SECOND_MS;
	const int64_t passed_ms = now_ms - outbox->counted_ms;
	outbox->allowance = passed_ms >= SECOND_MS ? whole : outbox->allowance + passed_ms * outbox->per_second;
	outbox->allowance = outbox->allowance < whole ? outbox->allowance : whole;
	outbox->counted_ms = now_ms;
	const int64_t lacking = SECOND_MS - outbox->allowance;
	return lacking <= 0 ? now_ms : now_ms + (lacking + outbox->per_second - 1) / outbox->per_second;
}

/* First writes go ahead of second ones, as far as these keep up with the pace. */
static struct stint_errand *next_write(const struct stint_outbox *outbox)
{
	const bool far_ahead = outbox->per_second && outbox->halfway_count >= (size_t)outbox->per_second * AHEAD_S;
	return outbox->unsent && !far_ahead ? outbox->unsent : outbox->halfway.first;
}

int64_t stint_outbox_run(struct stint_outbox *outbox, int64_t now_ms, int64_t write_until_ms)
{
	int64_t next_ms = -1;
	if (now_ms >= write_until_ms)
		return -1;
	/* Repeats first: what they hold is held longest. They stand before `unsent`, and there are few. */
	for (struct stint_errand *errand = outbox->all.first, *after; errand && errand != outbox->unsent; errand = after) {
		after = errand->next;
		if (errand->state != STINT_ERRAND_LATER)
			continue;
		if (errand->retry_ms <= now_ms && outbox->in_flight < outbox->window)
			send(outbox, errand, STINT_ERRAND_SENT, now_ms);
		else if (errand->retry_ms > now_ms && (next_ms < 0 || errand->retry_ms < next_ms))
			next_ms = errand->retry_ms; /* one that is due and found no room goes with the next answer */
	}
	for (struct stint_errand *next; outbox->in_flight < outbox->window && (next = next_write(outbox));) {
		if (!next->two_writes) {
			const int64_t allowed_ms = pace(outbox, now_ms);
			if (allowed_ms > now_ms)
				return next_ms < 0 || allowed_ms < next_ms ? allowed_ms : next_ms;
			outbox->allowance -= SECOND_MS;
		}
		send(outbox, next, STINT_ERRAND_SENT, now_ms);
	}
	return next_ms;
}

/*
 * The window opens by one for as many good answers as it is wide, and halves at most once for all that was out together. A slow answer is a
 * sign as well: beyond some number in flight the server only keeps them waiting for each other, until they time out.
 */
static void learn(struct stint_outbox *outbox, const struct stint_errand *errand, enum stint_errand_outcome outcome, int64_t now_ms)
{
	const bool trouble = outcome == STINT_ERRAND_UNCERTAIN || now_ms - errand->sent_ms >= SLOW_MS;
	if (trouble && errand->sent_ms > outbox->narrowed_ms) {
		outbox->window = (outbox->window + 1) / 2;
		outbox->good = 0;
		outbox->narrowed_ms = now_ms;
	} else if (!trouble && ++outbox->good >= outbox->window && outbox->window < outbox->in_flight_max) {
		outbox->window++;
		outbox->good = 0;
	}
}

static void go_halfway(struct stint_outbox *outbox, struct stint_errand *errand)
{
	unlink_errand(outbox, errand);
	errand->state = STINT_ERRAND_HALFWAY;
	errand->two_writes = false;
	errand->attempts = 0;
	link_errand(&outbox->halfway, errand, NULL);
	outbox->halfway_count++;
}

void stint_outbox_answer(struct stint_outbox *outbox, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message,
	int64_t now_ms, int64_t retry_after_ms)
{
	const bool checked = errand->state == STINT_ERRAND_CHECKING;
	outbox->in_flight--;
	errand->call = NULL;
	learn(outbox, errand, outcome, now_ms);
	if (!errand->owner) {
		end(outbox, errand, outcome, message);
	} else if (outcome == STINT_ERRAND_HALF_DONE) {
		go_halfway(outbox, errand);
	} else if (outcome == STINT_ERRAND_UNCERTAIN || outcome == STINT_ERRAND_NOT_YET) {
		int64_t delay_ms = FIRST_RETRY_MS;
		for (unsigned i = 1; i < errand->attempts && delay_ms < LAST_RETRY_MS; i++)
			delay_ms *= 2;
		errand->retry_ms = now_ms + (retry_after_ms > delay_ms ? retry_after_ms : delay_ms);
		errand->state = STINT_ERRAND_LATER;
	} else if (outcome == STINT_ERRAND_CONFLICT && !checked) {
		/* Perhaps an earlier attempt of ours came through: the object itself tells. */
		send(outbox, errand, STINT_ERRAND_CHECKING, now_ms);
	} else {
		end(outbox, errand, outcome, message);
	}
}

size_t stint_outbox_in_flight(const struct stint_outbox *outbox)
{
	return outbox->in_flight;
}

size_t stint_outbox_pending(const struct stint_outbox *outbox)
{
	return outbox->count;
}
