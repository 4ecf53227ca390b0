// What `npm run build` writes to `dist/`, and the server's build takes into the binary from there.

export default {
  base: "/graphiql/",
  build: {
    target: "es2022",
    // Everything is a file of ours: the page may load nothing from inside itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // An editor is large, and loaded once.
    chunkSizeWarningLimit: 5_000,
  },
  worker: { format: "es" },
};
