/*
 * events: Events as items, shared by `events` and `describe`.
 */
#ifndef STINT_CLI_EVENTS_H
#define STINT_CLI_EVENTS_H

#include <stint/workload.h>

#include "cli/cli.h"

/*
 * Whether an Event is about the workload, its owner or one of its pods. workload NULL: it is gone, or never was; then names tell, which are
 * those of its pods but for their ends.
 */
bool cli_event_is_about(const struct stint_event *event, const struct stint_workload *workload, const char *name);
/* An item of EventList: {name, project, kind, object, type, reason, message, count, component, first, last}. */
struct stint_json *cli_event_item(const struct stint_event *event);

#endif
