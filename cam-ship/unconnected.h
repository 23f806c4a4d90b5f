/* unconnected: from here on this process and what it starts cannot open a connection of their own. */
#ifndef UNCONNECTED_H
#define UNCONNECTED_H
/* To be called while there is one thread. Holds until the process ends. -1 with errno. */
int unconnected_enter(void);

/* The leak checker that is part of a sanitizer's build traces its own process. */
#if defined(__SANITIZE_ADDRESS__)
#define UNCONNECTED_TRACED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNCONNECTED_TRACED 1
#endif
#endif
#ifndef UNCONNECTED_TRACED
#define UNCONNECTED_TRACED 0
#endif
#endif
