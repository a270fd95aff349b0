/*
 * announcer: bounded queues of events in front of the recorder. See announcer.h.
 *
 * State: a ring of what was evicted and one of what was placed; the pods in them are counted. One timer.
 */
#include <scheduler/announcer.h>
#include <stint/workload.h>

#include <stdlib.h>

enum { EVICTED_MAX = 4096, SCHEDULED_MAX = 1024, TICK_MS = 100, EACH_TICK = 5 };

struct news {
	struct stint_pod *pod;
	char *reason, *text;
	char *gpus, *seconds; /* that were lost; NULL: nothing is to be said of it */
};

static void news_free(const struct news *news)
{
	free(news->reason);
	free(news->text);
	free(news->gpus);
	free(news->seconds);
}

struct ring {
	struct news *items;
	size_t first, count, most;
};

struct stint_announcer {
	struct stint_recorder *recorder;
	bool (*may_write)(void *user);
	void *user;
	struct stint_timer *timer;
	struct ring evicted, scheduled;
};

static struct ring *next_of(struct stint_announcer *announcer)
{
	if (announcer->evicted.count)
		return &announcer->evicted;
	return announcer->scheduled.count ? &announcer->scheduled : NULL;
}

static void take_first(const struct stint_announcer *announcer, struct ring *ring, bool record)
{
	const struct news *news = &ring->items[ring->first];
	struct stint_object *meta = &news->pod->meta;
	const struct stint_kube_about about = {"v1", "Pod", meta->space, meta->name, meta->uid, NULL, NULL};
	const char *cost[5] = {NULL};
	size_t count = 0;
	if (news->gpus) {
		cost[count++] = STINT_ANNOTATION_LOST_GPUS;
		cost[count++] = news->gpus;
	}
	if (news->seconds) {
		cost[count++] = STINT_ANNOTATION_LOST_SECONDS;
		cost[count++] = news->seconds;
	}
	if (record)
		stint_record(announcer->recorder, &about, "Normal", news->reason, count ? cost : NULL, "%s", news->text);
	stint_object_unref(meta);
	news_free(news);
	ring->first = (ring->first + 1) % ring->most;
	ring->count--;
}

static void on_timer(void *user)
{
	struct stint_announcer *announcer = user;
	struct ring *ring = NULL;
	for (int i = 0; i < EACH_TICK && (ring = next_of(announcer)) && announcer->may_write(announcer->user); i++)
		take_first(announcer, ring, true);
	if (next_of(announcer))
		stint_timer_set(announcer->timer, TICK_MS);
}

/* The texts of the news are handed over. */
static void add(struct stint_announcer *announcer, struct ring *ring, struct news news)
{
	if (ring->count == ring->most) { /* in a burst so large nobody misses one */
		news_free(&news);
		return;
	}
	stint_object_ref(&news.pod->meta);
	ring->items[(ring->first + ring->count++) % ring->most] = news;
	if (!stint_timer_active(announcer->timer))
		stint_timer_set(announcer->timer, TICK_MS);
}

void stint_announcer_scheduled(struct stint_announcer *announcer, struct stint_pod *pod, const char *node)
{
	add(announcer, &announcer->scheduled,
		(struct news){.pod = pod,
			.reason = stint_strdup("Scheduled"),
			.text = stint_format("Successfully assigned pod %s/%s to node %s", pod->meta.space, pod->meta.name, node)});
}

void stint_announcer_evicted(struct stint_announcer *announcer, struct stint_pod *pod, const struct stint_eviction *eviction)
{
	char number[STINT_QUANTITY_SIZE];
	add(announcer, &announcer->evicted,
		(struct news){.pod = pod,
			.reason = stint_strdup(eviction->reason),
			.text = stint_format("Evicted: %s", eviction->sentence),
			.gpus = eviction->gpus < 0 ? NULL : stint_strdup(stint_gpus_format(eviction->gpus, number)),
			.seconds = eviction->ran_ms < 0 ? NULL : stint_format("%lld", (long long)(eviction->ran_ms / 1000))});
}

static struct ring ring_of(size_t most)
{
	return (struct ring){.items = stint_alloc(most * sizeof(struct news)), .most = most};
}

struct stint_announcer *stint_announcer_new(
	struct stint_loop *loop, struct stint_recorder *recorder, bool (*may_write)(void *user), void *user)
{
	struct stint_announcer *announcer = stint_alloc(sizeof(*announcer));
	announcer->recorder = recorder;
	announcer->may_write = may_write;
	announcer->user = user;
	announcer->timer = stint_timer_new(loop, on_timer, announcer);
	announcer->evicted = ring_of(EVICTED_MAX);
	announcer->scheduled = ring_of(SCHEDULED_MAX);
	return announcer;
}

void stint_announcer_free(struct stint_announcer *announcer)
{
	if (!announcer)
		return;
	for (struct ring *ring = NULL; (ring = next_of(announcer));)
		take_first(announcer, ring, false);
	free(announcer->evicted.items);
	free(announcer->scheduled.items);
	stint_timer_free(announcer->timer);
	free(announcer);
}
