// A value that all tabs of the origin share.

const STORE = "values";

/**
 * A value in IndexedDB. Not in `localStorage`: browsers copy that to each process, so that a tab
 * can read an old value although another tab has written a new one, even under a lock.
 */
export class SharedValue<T> {
  constructor(private readonly name: string) {}

  async get(): Promise<T | null> {
    return (await this.run<T | undefined>("readonly", (store) => store.get(0))) ?? null;
  }

  async set(value: T): Promise<void> {
    await this.run("readwrite", (store) => store.put(value, 0));
  }

  async remove(): Promise<void> {
    await this.run("readwrite", (store) => store.delete(0));
  }

  private async run<R>(
    mode: IDBTransactionMode,
    action: (store: IDBObjectStore) => IDBRequest,
  ): Promise<R> {
    const opening = indexedDB.open(this.name);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    const database: IDBDatabase = await result(opening);
    try {
      const transaction = database.transaction(STORE, mode);
      const request = action(transaction.objectStore(STORE));
      // Other tabs see the value once the transaction is complete.
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      return request.result as R;
    } finally {
      database.close();
    }
  }
}

function result<R>(request: IDBRequest<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
