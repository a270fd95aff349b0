/*
 * announcer: the `Scheduled` events. They are worth less than binds, so they wait until no bind does and then go out at a gentle rate; when
 * more have gathered than anybody reads, the latest are dropped and counted.
 */
#ifndef STINT_SCHEDULER_ANNOUNCER_H
#define STINT_SCHEDULER_ANNOUNCER_H

#include <stint/kube.h>

struct stint_announcer;
/* may_write: false while binds wait. Everything is borrowed. */
struct stint_announcer *stint_announcer_new(
	struct stint_loop *loop, struct stint_recorder *recorder, bool (*may_write)(void *user), void *user);
void stint_announcer_free(struct stint_announcer *announcer);
void stint_announcer_scheduled(struct stint_announcer *announcer, struct stint_pod *pod, const char *node);

#endif
