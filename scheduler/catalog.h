/*
 * catalog: what the scheduler knows of the cluster besides nodes and pods, by name: owners of pods, PodGroups, queues, priority
 * classes and namespaces. Filled by the mirror, read by the grouper. No I/O: tests fill it by hand.
 */
#ifndef STINT_SCHEDULER_CATALOG_H
#define STINT_SCHEDULER_CATALOG_H

#include <stint/model.h>

struct stint_catalog;
struct stint_catalog *stint_catalog_new(void);
void stint_catalog_free(struct stint_catalog *catalog);
void stint_catalog_clear(struct stint_catalog *catalog);

/* Keeps a count of the object; a former object of the same identity is released. Kinds that have no place here are ignored. */
void stint_catalog_put(struct stint_catalog *catalog, struct stint_object *object);
void stint_catalog_remove(struct stint_catalog *catalog, const struct stint_object *object);

const struct stint_owner *stint_catalog_owner(const struct stint_catalog *catalog, const char *uid);
/* The first by kind of that name. O(owners). */
const struct stint_owner *stint_catalog_find_owner(const struct stint_catalog *catalog, const char *space, const char *name);
/* An owner of a watched kind that the API server said is not there: nobody needs to wait for it. */
void stint_catalog_note_absent(struct stint_catalog *catalog, const char *uid);
bool stint_catalog_is_absent(const struct stint_catalog *catalog, const char *uid);
const struct stint_pod_group *stint_catalog_pod_group(const struct stint_catalog *catalog, const char *space, const char *name);
const struct stint_queue *stint_catalog_queue(const struct stint_catalog *catalog, const char *name);
const struct stint_priority_class *stint_catalog_priority_class(const struct stint_catalog *catalog, const char *name);
/* The class with globalDefault: the lowest value where somebody has marked several, as the API server chooses. */
const struct stint_priority_class *stint_catalog_default_class(const struct stint_catalog *catalog);
/* The project that a namespace is labelled with, or NULL. */
const char *stint_catalog_project(const struct stint_catalog *catalog, const char *space);

#endif
