/** Styles that a module loads; the bundler puts them into a file. */
declare module '*.css'
