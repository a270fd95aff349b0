/*
 * binder: the state machine of writes under way. See binder.h.
 *
 * State: one list of binds in order of arrival and two counts. Everything that is not over is in the list.
 */
#include <scheduler/binder.h>

#include <stdlib.h>

enum { FIRST_RETRY_MS = 100, LAST_RETRY_MS = 3200 };

struct stint_binder {
	struct stint_binder_hooks hooks;
	size_t in_flight_max, in_flight, count;
	struct stint_bind *first, *last;
	struct stint_bind *unsent; /* the first that is QUEUED: those before it have been sent. NULL: none is */
};

const char *stint_bind_outcome_name(enum stint_bind_outcome outcome)
{
	static const char *const names[STINT_BIND_OUTCOMES] = {"bound", "conflict", "gone", "failed", "retried"};
	return names[outcome];
}

struct stint_binder *stint_binder_new(size_t in_flight_max, const struct stint_binder_hooks *hooks)
{
	struct stint_binder *binder = stint_alloc(sizeof(*binder));
	binder->hooks = *hooks;
	binder->in_flight_max = in_flight_max;
	return binder;
}

static void free_bind(struct stint_bind *bind)
{
	free(bind->space);
	free(bind->pod);
	free(bind->uid);
	free(bind->node);
	free(bind->devices);
	free(bind->uuids);
	free(bind);
}

static bool is_out(const struct stint_bind *bind)
{
	return bind->state == STINT_BIND_SENT || bind->state == STINT_BIND_CHECKING;
}

void stint_binder_free(struct stint_binder *binder)
{
	if (!binder)
		return;
	for (struct stint_bind *bind = binder->first, *next; bind; bind = next) {
		next = bind->next;
		if (is_out(bind))
			binder->hooks.cancel(binder->hooks.user, bind);
		free_bind(bind);
	}
	free(binder);
}

static void unlink_bind(struct stint_binder *binder, struct stint_bind *bind)
{
	if (binder->unsent == bind)
		binder->unsent = bind->next;
	if (bind->previous)
		bind->previous->next = bind->next;
	else
		binder->first = bind->next;
	if (bind->next)
		bind->next->previous = bind->previous;
	else
		binder->last = bind->previous;
	binder->count--;
}

struct stint_bind *stint_binder_add(struct stint_binder *binder, void *owner, const char *space, const char *pod, const char *uid,
	const char *node, const char *devices, const char *uuids)
{
	struct stint_bind *bind = stint_alloc(sizeof(*bind));
	*bind = (struct stint_bind){.space = stint_strdup(space),
		.pod = stint_strdup(pod),
		.uid = stint_strdup(uid),
		.node = stint_strdup(node),
		.devices = stint_strdup(devices),
		.uuids = stint_strdup(uuids),
		.owner = owner,
		.previous = binder->last};
	if (binder->last)
		binder->last->next = bind;
	else
		binder->first = bind;
	binder->last = bind;
	if (!binder->unsent)
		binder->unsent = bind;
	binder->count++;
	return bind;
}

static void end(struct stint_binder *binder, struct stint_bind *bind, enum stint_bind_outcome outcome, const char *message)
{
	unlink_bind(binder, bind);
	if (bind->owner)
		binder->hooks.done(binder->hooks.user, bind, outcome, message);
	free_bind(bind);
}

void stint_binder_drop(struct stint_binder *binder, struct stint_bind *bind)
{
	bind->owner = NULL;
	if (!is_out(bind))
		end(binder, bind, STINT_BIND_GONE, NULL);
}

static void send(struct stint_binder *binder, struct stint_bind *bind, enum stint_bind_state state, int64_t now_ms)
{
	if (binder->unsent == bind)
		binder->unsent = bind->next;
	bind->state = state;
	bind->sent_ms = now_ms;
	if (state == STINT_BIND_SENT)
		bind->attempts++;
	binder->in_flight++;
	binder->hooks.send(binder->hooks.user, bind);
}

int64_t stint_binder_run(struct stint_binder *binder, int64_t now_ms, int64_t write_until_ms)
{
	int64_t next_ms = -1;
	if (now_ms >= write_until_ms)
		return -1;
	/* Repeats first: what they hold is held longest. They stand before `unsent`, and there are few. */
	for (struct stint_bind *bind = binder->first, *after; bind && bind != binder->unsent; bind = after) {
		after = bind->next;
		if (bind->state != STINT_BIND_LATER)
			continue;
		if (bind->retry_ms <= now_ms && binder->in_flight < binder->in_flight_max)
			send(binder, bind, STINT_BIND_SENT, now_ms);
		else if (bind->retry_ms > now_ms && (next_ms < 0 || bind->retry_ms < next_ms))
			next_ms = bind->retry_ms; /* one that is due and found no room goes with the next answer */
	}
	while (binder->unsent && binder->in_flight < binder->in_flight_max)
		send(binder, binder->unsent, STINT_BIND_SENT, now_ms);
	return next_ms;
}

void stint_binder_answer(struct stint_binder *binder, struct stint_bind *bind, enum stint_bind_outcome outcome, const char *message,
	int64_t now_ms, int64_t retry_after_ms)
{
	const bool checked = bind->state == STINT_BIND_CHECKING;
	binder->in_flight--;
	bind->call = NULL;
	if (!bind->owner) {
		end(binder, bind, outcome, message);
	} else if (outcome == STINT_BIND_UNCERTAIN) {
		int64_t delay_ms = FIRST_RETRY_MS;
		for (unsigned i = 1; i < bind->attempts && delay_ms < LAST_RETRY_MS; i++)
			delay_ms *= 2;
		bind->retry_ms = now_ms + (retry_after_ms > delay_ms ? retry_after_ms : delay_ms);
		bind->state = STINT_BIND_LATER;
	} else if (outcome == STINT_BIND_CONFLICT && !checked) {
		/* Perhaps an earlier attempt of ours came through: the pod itself tells. */
		send(binder, bind, STINT_BIND_CHECKING, now_ms);
	} else {
		end(binder, bind, outcome, message);
	}
}

size_t stint_binder_in_flight(const struct stint_binder *binder)
{
	return binder->in_flight;
}

size_t stint_binder_pending(const struct stint_binder *binder)
{
	return binder->count;
}
