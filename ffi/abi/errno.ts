export function errnoName(n: number): string { return `errno ${n}` }
