// Values kept in the browser. Storage may be closed or full: then nothing is kept, and nothing else breaks.

export function read(storage, key) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

export function keep(storage, key, value) {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    // Not kept.
  }
}

export const onThisComputer = () => localStorage;
export const inThisTab = () => sessionStorage;
