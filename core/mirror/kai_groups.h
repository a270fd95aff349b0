/*
 * kai_groups: which device slot stands for a GPU group of KAI-Scheduler (label runai-gpu-group), so that a cluster can move over while
 * pods that KAI has placed still run: pods of one group share one slot, as they share one device. Pure accounting.
 */
#ifndef STINT_MIRROR_KAI_GROUPS_H
#define STINT_MIRROR_KAI_GROUPS_H

#include <stint/engine.h>

struct kai_groups;
struct kai_groups *kai_groups_new(void);
void kai_groups_free(struct kai_groups *groups);
/*
 * The slot's bit for a pod that carries the label and has a node; 0: not such a pod, or no slot is left. The first pod of a group takes the
 * highest slot of the node that nobody uses, so that it stays clear of what is placed from below. O(devices of the node).
 */
uint64_t kai_groups_slot(struct kai_groups *groups, const struct stint_engine *engine, const struct stint_pod *pod);
bool kai_groups_is_reservation(const struct stint_pod *pod);

#endif
