/*
 * announcer: a bounded queue of `Scheduled` events in front of the recorder. See announcer.h.
 *
 * State: a ring of what was placed; the pods in it are counted. One timer.
 */
#include <scheduler/announcer.h>

#include <stdlib.h>

enum { QUEUE_MAX = 1024, TICK_MS = 100, EACH_TICK = 5 };

struct scheduled {
	struct stint_pod *pod;
	char *node;
};

struct stint_announcer {
	struct stint_recorder *recorder;
	bool (*may_write)(void *user);
	void *user;
	struct stint_timer *timer;
	struct scheduled ring[QUEUE_MAX];
	size_t first, count;
};

static void take_first(struct stint_announcer *announcer, bool record)
{
	struct scheduled *one = &announcer->ring[announcer->first];
	const struct stint_object *meta = &one->pod->meta;
	if (record) {
		const struct stint_kube_about about = {"v1", "Pod", meta->space, meta->name, meta->uid, NULL, NULL};
		stint_record(announcer->recorder, &about, "Normal", "Scheduled", NULL, "Successfully assigned pod %s/%s to node %s",
			meta->space, meta->name, one->node);
	}
	stint_object_unref(&one->pod->meta);
	free(one->node);
	announcer->first = (announcer->first + 1) % QUEUE_MAX;
	announcer->count--;
}

static void on_timer(void *user)
{
	struct stint_announcer *announcer = user;
	for (int i = 0; i < EACH_TICK && announcer->count && announcer->may_write(announcer->user); i++)
		take_first(announcer, true);
	if (announcer->count)
		stint_timer_set(announcer->timer, TICK_MS);
}

struct stint_announcer *stint_announcer_new(
	struct stint_loop *loop, struct stint_recorder *recorder, bool (*may_write)(void *user), void *user)
{
	struct stint_announcer *announcer = stint_alloc(sizeof(*announcer));
	announcer->recorder = recorder;
	announcer->may_write = may_write;
	announcer->user = user;
	announcer->timer = stint_timer_new(loop, on_timer, announcer);
	return announcer;
}

void stint_announcer_free(struct stint_announcer *announcer)
{
	if (!announcer)
		return;
	while (announcer->count)
		take_first(announcer, false);
	stint_timer_free(announcer->timer);
	free(announcer);
}

void stint_announcer_scheduled(struct stint_announcer *announcer, struct stint_pod *pod, const char *node)
{
	if (announcer->count == QUEUE_MAX) /* in a burst so large nobody misses one */
		return;
	struct scheduled *one = &announcer->ring[(announcer->first + announcer->count++) % QUEUE_MAX];
	stint_object_ref(&pod->meta);
	one->pod = pod;
	one->node = stint_strdup(node);
	if (!stint_timer_active(announcer->timer))
		stint_timer_set(announcer->timer, TICK_MS);
}
