{% load assets %}/* Answers page loads with the offline page when the server cannot be reached. It caches nothing else: what people
   read here is theirs and changes. The cache's name changes with the style, so that an update replaces it. */

const CACHE = "house-{% style_url 'house' %}";
const OFFLINE = "{% url 'offline' %}";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([OFFLINE, "{% style_url 'house' %}"])));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      await self.registration.navigationPreload?.enable();
      for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(open(event));
  else if (request.destination === "style") event.respondWith(fetch(request).catch(() => caches.match(request)));
});

async function open(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}
