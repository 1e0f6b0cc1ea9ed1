export function EventPage() { return <div class="page">EventPage</div>; }
