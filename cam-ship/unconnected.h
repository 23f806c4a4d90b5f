/* unconnected: from here on this process and what it starts cannot open a connection of their own. */
#ifndef UNCONNECTED_H
#define UNCONNECTED_H
/* To be called while there is one thread. Holds until the process ends. -1 with errno. */
int unconnected_enter(void);
#endif
